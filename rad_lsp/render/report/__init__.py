"""The report page: one HTML file that shows sessions as charts and tables, and asks for nothing."""
