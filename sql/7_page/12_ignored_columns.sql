-- title: Columns of extracts that the audit does not know
-- grain: one row per ignored column

select
    "column",
    count(*) as extracts,
from columns
where not is_canonical
group by "column"
order by "column"
