"""What `cmake --install` puts on a machine works from there."""
import os
import shutil

import pytest

from conftest import BIN, WORK, Daemon, run

BUILD = BIN.parent


@pytest.mark.skipif(not (BUILD / "cmake_install.cmake").exists(), reason="BIN is no build tree")
def test_the_installation(monkeypatch):
    place = WORK / "installed"
    run("cmake", "--install", BUILD, env={**os.environ, "DESTDIR": str(place)})
    prefix = place / "usr/local"
    for name in ("caisson", "caissond", "caisson-init", "caisson-shim", "caisson-runtime"):
        assert os.access(prefix / "bin" / name, os.X_OK)
    units = prefix / "lib/systemd/system"
    service = (units / "caisson.service").read_text()
    assert "ExecStart=/usr/local/bin/caissond -H fd://\n" in service and "Type=notify\n" in service and "KillMode=process\n" in service
    assert "@" not in service, "everything was filled in"
    if shutil.which("systemd-analyze"):
        # The program is not where the unit will find it: only here.
        (units / "caisson.service").write_text(service.replace("/usr/local/bin/caissond", str(prefix / "bin/caissond")))
        done = run("systemd-analyze", "verify", units / "caisson.service", units / "caisson.socket", check=False)
        assert "caisson" not in done.stderr, done.stderr

    # The daemon finds its shim and its images beside itself.
    import conftest
    monkeypatch.setattr(conftest, "BIN", prefix / "bin")
    daemon = Daemon("from-installation").start()
    try:
        assert "Hello from Caisson!" in run(prefix / "bin/caisson", "run", "--rm", "hello-world", env=daemon.env()).stdout
    finally:
        daemon.stop()
