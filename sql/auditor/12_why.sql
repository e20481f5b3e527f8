-- title: The rows on which the rule of a finding decided
--
-- Rows of the date of service, and those of the dates that the finding is measured against.

-- noqa: disable=LT02,RF02
create macro why(finding) as table
with numbered_inputs as (
    select
        *,
        row_number() over (order by table_order, service_date desc, facts) as input_row,
    from finding_inputs
    where finding_id = finding
),

input_facts as (
    select
        input_row,
        table_name,
        service_date,
        unnest(range(1, len(facts) + 1)) as position,
        facts[position] as fact,
    from numbered_inputs
)

select
    input_row,
    table_name,
    service_date,
    fact.column_name,
    fact.value,
    fact.meaning,
from input_facts
order by input_row, position;

comment on macro table why is
'why(finding): the limits and the rows of the schema working on which the rule decided, one row for each column that the rule names, with '
'its value and its meaning; input_row numbers the rows. Of a withdrawn finding, what the rule reads now';
