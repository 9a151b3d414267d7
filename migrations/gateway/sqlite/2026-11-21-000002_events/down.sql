DELETE FROM revisions WHERE name = 'events';
DROP TABLE journals;
DROP TABLE events;
