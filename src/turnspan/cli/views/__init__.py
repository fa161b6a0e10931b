"""What is read, as people see it: trees and tables that several commands print."""
