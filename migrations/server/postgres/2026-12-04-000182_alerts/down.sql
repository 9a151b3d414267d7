ALTER TABLE rollups DROP COLUMN caller_faults;
DROP TABLE alert_sightings;
DROP TABLE alert_rounds;
DROP TABLE alerts;
