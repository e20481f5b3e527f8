-- title: The bit of each doubt by its name
-- grain: one row
--
-- Doubts are bits of one number until the reports, so that groups and windows can gather them.

select
    any_value(doubt_bit) filter (where doubt_id = 'denial_unclear') as denial_unclear,
    any_value(doubt_bit) filter (where doubt_id = 'date_from_header') as date_from_header,
    any_value(doubt_bit) filter (where doubt_id = 'replacement_unmatched') as replacement_unmatched,
    any_value(doubt_bit) filter (where doubt_id = 'discontinued') as discontinued,
    any_value(doubt_bit) filter (where doubt_id = 'authorized') as authorized,
    any_value(doubt_bit) filter (where doubt_id = 'line_of_business_unknown') as line_of_business_unknown,
    any_value(doubt_bit) filter (where doubt_id = 'may_be_one_visit') as may_be_one_visit,
    any_value(doubt_bit) filter (where doubt_id = 'policy_text_not_held') as policy_text_not_held,
    bit_or(doubt_bit) filter (where is_about_the_line) as about_the_line,
from doubts
