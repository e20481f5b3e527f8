-- title: What the audit counted on the way
-- grain: one row
--
-- Adjustments that act on a claim of which nothing was kept, and those that supersede a row of another person, are either ordinary (an original
-- from before the first extract, a wrong member mended) or the sign of a feed that renumbers its claims: their number shows which.

select
    (select count(*) from unmatched_rows where kind = 'orphan_adjustment') as orphan_adjustments,
    (select count(*) from adjustments_across_persons) as adjustments_across_persons,
    (select count(*) from unmatched_rows where kind = 'unmatched_reversal') as unmatched_reversals,
    (select count(*) from line_statuses where line_status = 'after_as_of') as lines_after_as_of,
