DROP INDEX kept_ids;
DROP TABLE kept_items;
