-- title: Lines of business by what covers them
-- grain: line_of_business: as it stands in the claims, or in place of an empty one
--
-- What the reference table does not know, and an empty one, is unknown.

with named_lines as (
    select distinct coalesce(line_of_business, $line_of_business) as line_of_business
    from claim_rows
)

select
    named_lines.line_of_business,
    coalesce(min_by(lines_of_business.line_group, lines_of_business.match_order), 'unknown') as line_group,
from named_lines
left join lines_of_business
    on case lines_of_business.match_kind
        when 'contains' then contains(named_lines.line_of_business, lines_of_business.line_of_business)
        when 'begins_with' then starts_with(named_lines.line_of_business, lines_of_business.line_of_business)
        else named_lines.line_of_business = lines_of_business.line_of_business
    end
group by named_lines.line_of_business
