"""What payment integrity gets and gives back: deliveries, workbook, reviewed dispositions, suppressions."""
