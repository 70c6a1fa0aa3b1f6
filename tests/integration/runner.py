"""Runs unittest modules of this folder and closes with the line tests/run.sh reads."""
import sys
import time
import unittest


class Result(unittest.TextTestResult):
    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.stream.writeln(f"    {time.monotonic() - self.began:.1f} s")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:  # a test goes on after one of its parts has failed: in the long form perhaps for an hour
            self.stream.writeln(self._exc_info_to_string(err, test))


def main(names):
    loader = unittest.TestLoader()
    suite = loader.loadTestsFromNames(names) if names else loader.discover(".", "test_*.py")
    result = unittest.TextTestRunner(verbosity=2, resultclass=Result).run(suite)
    bad = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses) + len(result.skipped)
    print(f"{result.testsRun - bad} passed, {bad} failed")
    return bad > 0


sys.exit(main(sys.argv[1:]))
