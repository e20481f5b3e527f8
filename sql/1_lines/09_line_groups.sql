-- title: Lines of business by what covers them
-- grain: line_of_business: as it stands in the claims, or in place of an empty one
--
-- The plan's own table comes first, then the reference table; what neither knows, and an empty one, is unknown.

with named_lines as (
    select distinct coalesce(line_of_business, $line_of_business) as line_of_business
    from claim_rows
),

known_lines as (
    select
        named_lines.line_of_business,
        min_by(lines_of_business.line_group, lines_of_business.match_order) as line_group,
    from named_lines
    inner join lines_of_business
        on
            case lines_of_business.match_kind
                when 'contains' then contains(named_lines.line_of_business, lines_of_business.line_of_business)
                when 'begins_with' then starts_with(named_lines.line_of_business, lines_of_business.line_of_business)
                else named_lines.line_of_business = lines_of_business.line_of_business
            end
            and not coalesce(regexp_matches(named_lines.line_of_business, lines_of_business.unless_matches), false)
    group by named_lines.line_of_business
)

select
    named_lines.line_of_business,
    coalesce(plan_lines_of_business.line_group, known_lines.line_group, 'unknown') as line_group,
from named_lines
left join known_lines on named_lines.line_of_business = known_lines.line_of_business
left join plan_lines_of_business on named_lines.line_of_business = plan_lines_of_business.line_of_business
