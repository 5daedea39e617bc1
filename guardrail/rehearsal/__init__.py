"""Trying the tests of a policy: recorded answers and verdicts through the real loop, on a clock that is only told."""
