"""Cases: what a case file is, and how it runs."""

from kantis.desk.cases.file import find, is_case_file, read_cases
from kantis.desk.cases.run import CaseResult, Failure, FileResult, run_file

__all__ = ["CaseResult", "Failure", "FileResult", "find", "is_case_file", "read_cases", "run_file"]
