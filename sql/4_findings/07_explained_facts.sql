-- title: What a finding presumes and leaves open, in words
-- grain: finding_id: a finding that presumes something, or leaves something open
--
-- The second and third part of the rationale, behind what claims show: what is presumed and what is open; then what would clear it.

with open_facts as (
    select
        finding_id,
        unnest(doubts || presumptions) as doubt_id,
        unnest(list_transform(doubts, lambda doubt: false) || list_transform(presumptions, lambda doubt: true)) as is_presumed,
    from determinations
)

select
    open_facts.finding_id,
    concat_ws(
        ' ',
        'Presumed: ' || string_agg(doubts.presumption, '; ' order by doubts.doubt_order) filter (where open_facts.is_presumed) || '.',
        'Open: ' || string_agg(doubts.description, '; ' order by doubts.doubt_order) filter (where not open_facts.is_presumed) || '.',
        'What would clear it: ' || string_agg(doubts.settled_by, '; ' order by doubts.doubt_order) || '.'
    ) as explanation,
from open_facts
inner join doubts on open_facts.doubt_id = doubts.doubt_id
group by open_facts.finding_id
