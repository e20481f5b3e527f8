-- title: What the doubts mean
-- grain: doubt_id: a doubt that a rule can have, whether or not a finding has it
-- column: doubt_id: the doubt, as it is named in doubts
-- column: is_about_the_line: whether it is about a claim line; else about a service, a person or a date
-- column: description: what claims leave open
-- column: presumption: what is presumed where the policy presumes it away
-- column: settled_by: what would settle it, or rebut the presumption

select
    doubt_id,
    is_about_the_line,
    description,
    presumption,
    settled_by,
from doubts
order by doubt_order
