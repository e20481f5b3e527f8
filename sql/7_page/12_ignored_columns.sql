-- title: Columns of extracts that the audit does not know
-- grain: column

select
    "column",
    count(*) as extracts,
from columns
where not is_canonical
group by "column"
order by "column"
