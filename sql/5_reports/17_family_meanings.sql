-- title: What the families of procedures are
-- grain: family: whether or not a line has a code of it
-- column: family: the family, as it stands in lines
-- column: family_group: the group of families that it belongs to
-- column: description: what its procedures are

select
    family_id as family,
    family_group,
    description,
from procedure_families
order by family_group, family_id
