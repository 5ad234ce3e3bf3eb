"""Options of the tests here; see README.md."""


def pytest_addoption(parser):
    parser.addoption("--seed", default="1", help="of the random operations; 'random' takes another one each time, and prints it")
    parser.addoption("--operations", type=int, default=120, help="of each client")
    parser.addoption("--clients", type=int, default=4)
    parser.addoption("--kills", type=int, default=6, help="how often the daemon is killed meanwhile")
    parser.addoption("--point", default="", help="only crash points whose name contains this")
    parser.addoption("--thorough", action="store_true", help="each crash point every time that it is passed, not the first and the last time")
