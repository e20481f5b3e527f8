"""From extracts to batches: files are opened, every row is checked, the lines that the audit may need are kept, all rows are accounted for.

What enters are files that others deliver (`extracts`, `formats`, `landing`, `feeds`); what leaves is, for each extract, an outcome
(`outcomes`), and of one that was loaded a batch, with what was counted of it (`quality`), and its quarantine in OUT (`intake`, `batch_files`).
A file of a payer's own becomes a part by its layout (`layouts`). In between, each extract has a DuckDB of its own, in which functions leave
tables for one another. A position is a row's number in the extract (`part`).

| table        | one row for each                                         | made in         | read in                                   |
| ------------ | -------------------------------------------------------- | --------------- | ----------------------------------------- |
| strict_cells | record that the strict reader alone can read             | csv_strict_rows | csv_part                                  |
| plain_rows   | row whose bytes show that it is valid and not relevant   | csv_part        | row_checks                                |
| scanned      | row checked by SQL, with the reason where it is refused  | row_checks      | row_checks                                |
| checked      | row that can be read, by position (view of the two)      | row_checks      | kept_lines, controls, batch_files, faults |
| fetched_rows | row of a claim that may be kept                          | kept_lines      | kept_lines                                |
| fetched      | the same row with all canonical columns (view)           | kept_lines      | kept_lines, batch_files                   |
| faulty_rows  | quarantined row that parses, with the forms of its cells | faults          | faults                                    |
| faulty       | the same row with its reason (view)                      | faults          | faults                                    |
| claims       | data_source and claim_id whose lines are kept            | kept_lines      | kept_lines                                |
| kept_rows    | valid row of such a claim, by position                   | kept_lines      | kept_lines, controls                      |
| repeats      | kept row that repeats another one, by position           | kept_lines      | kept_lines                                |
| kept         | kept row with its canonical values (view)                | kept_lines      | controls, batch_files, quality            |
| coded_lines  | kept row with a family's code: type, day, modifiers      | quality         | quality                                   |
"""
