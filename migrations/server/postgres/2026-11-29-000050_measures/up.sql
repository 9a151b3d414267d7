-- What the columns of counts can't say of a usage, as JSON: other units, facts that prices depend on, and
-- whether counts were cut or more was written than the maximum.
ALTER TABLE usage_records ADD COLUMN measures TEXT;
