-- title: Values of line_of_business that claims have
-- grain: line_of_business: as it stands in the lines with a code of a family, or in place of an empty one
-- column: line_of_business: the value; empty where lines have none, and no setting stands in
-- column: line_group: the group that it is in: commercial, medicaid, medicare, or unknown
-- column: named_by: what says so: settings (the plan's own lines_of_business) or reference (the table that comes with the program); else empty
-- column: line_count: lines with it, whatever their status
-- column: live_line_count: those of them that are live
-- column: paid_amount: US dollars paid for the live ones

select
    line_statuses.line_of_business,
    line_statuses.line_group,
    case
        when plan_lines_of_business.line_group is not null then 'settings'
        when line_statuses.line_group <> 'unknown' then 'reference'
    end as named_by,
    count(*) as line_count,
    count(case when line_statuses.line_status = 'live' then 1 end) as live_line_count,
    coalesce(sum(case when line_statuses.line_status = 'live' then line_statuses.paid_amount end), 0)::decimal(14, 2) as paid_amount,
from line_statuses
left join plan_lines_of_business on line_statuses.line_of_business = plan_lines_of_business.line_of_business
group by line_statuses.line_of_business, line_statuses.line_group, plan_lines_of_business.line_group
order by line_count desc, line_statuses.line_of_business nulls last
