"""What is read, as people see it: trees and tables that several commands print.

Private: what users import is in ``turnspan`` and its public modules.
"""
