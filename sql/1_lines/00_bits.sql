-- title: The bit of each doubt by its name
-- grain: one row
--
-- Doubts are bits of one number until the reports, so that groups and windows can gather them.

select
    max(case when doubt_id = 'denial_unclear' then doubt_bit end) as denial_unclear,
    max(case when doubt_id = 'date_from_header' then doubt_bit end) as date_from_header,
    max(case when doubt_id = 'replacement_unmatched' then doubt_bit end) as replacement_unmatched,
    max(case when doubt_id = 'discontinued' then doubt_bit end) as discontinued,
    max(case when doubt_id = 'authorized' then doubt_bit end) as authorized,
    max(case when doubt_id = 'line_of_business_unknown' then doubt_bit end) as line_of_business_unknown,
    max(case when doubt_id = 'may_be_one_visit' then doubt_bit end) as may_be_one_visit,
    max(case when doubt_id = 'policy_text_not_held' then doubt_bit end) as policy_text_not_held,
    bit_or(case when is_about_the_line then doubt_bit else 0 end) as about_the_line,
from doubts
