-- title: Canonical columns that extracts lack, or leave empty
-- grain: column: a canonical column that some extract lacks, or has filled in no row

with counted_extracts as (
    select
        "column",
        count(*) as extracts,
        count(case when not is_present then 1 end) as extracts_without,
        count(case when is_present and coalesce(filled_count, 0) = 0 then 1 end) as extracts_unfilled,
    from columns
    where is_canonical
    group by "column"
)

select
    "column",
    extracts,
    extracts_without,
    extracts_unfilled,
from counted_extracts
where extracts_without + extracts_unfilled > 0
order by "column"
