#!/usr/bin/env python3
"""lint.py must find each kind of breach, and nothing in clean code."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lint  # noqa: E402

LAYERS = "0 base :\n1 sys : base\n1 codec : base\n2 http : base sys\n9 cmd : base sys codec http\n"


class LintTest(unittest.TestCase):
    def breaches(self, files, layers=LAYERS):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            for path, text in {"tools/layers.txt": layers, **files}.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            return lint.lint(root)

    def assert_one(self, files, word, **more):
        found = self.breaches(files, **more)
        self.assertEqual(len(found), 1, found)
        self.assertIn(word, found[0])

    def test_clean_code_passes(self):
        self.assertEqual(self.breaches({
            "src/sys/fd.cc": '#include "base/x.h"\nint f() { return ::open("x", 0); }\n',
            "src/http/a.cc": '#include <boost/beast.hpp>\n#include "sys/fd.h"\n// ::open( in a comment\nauto s = "::fork(";\n'}), [])

    def test_a_module_outside_its_row(self):
        self.assert_one({"src/sys/a.cc": '#include "http/server.h"\n'}, "may not include http/server.h")

    def test_private_headers(self):
        self.assert_one({"src/http/a.cc": '#include "sys/detail/retry.h"\n'}, "private to sys")

    def test_a_table_that_goes_up(self):
        self.assert_one({}, "may not use", layers="0 base : sys\n1 sys : base\n")

    def test_a_folder_without_a_row(self):
        self.assert_one({"src/utils/a.cc": "\n"}, "no row")

    def test_raw_syscalls_outside_sys(self):
        self.assert_one({"src/http/a.cc": "int f() { return ::fork(); }\n"}, "raw-syscall")

    def test_a_shell(self):
        self.assert_one({"src/sys/a.cc": 'int f() { return system("ls"); }\n'}, "shell")

    def test_sleeping(self):
        self.assert_one({"src/sys/a.cc": "void f() { std::this_thread::sleep_for(x); }\n"}, "sleep")

    def test_an_allowed_line_needs_a_reason(self):
        self.assertEqual(self.breaches({"src/sys/a.cc": "::usleep(1);  // lint: allow(sleep) the kernel has no event\n"}), [])
        self.assert_one({"src/sys/a.cc": "::usleep(1);  // lint: allow(sleep)\n"}, "sleep")

    def test_libraries_stay_behind_their_module(self):
        self.assert_one({"src/sys/a.cc": "#include <curl/curl.h>\n"}, "curl")

    def test_heavy_headers(self):
        self.assert_one({"src/sys/a.h": "#include <regex>\n"}, "regex")

    def test_header_cycles(self):
        self.assert_one({"src/sys/a.h": '#include "sys/b.h"\n', "src/sys/b.h": '#include "sys/a.h"\n'}, "header cycle")

    def test_unfinished_work(self):
        self.assert_one({"src/sys/a.cc": "// TO" + "DO: later\n"}, "unfinished")


if __name__ == "__main__":
    unittest.main()
