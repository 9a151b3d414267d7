DROP TABLE alert_sightings;
DROP TABLE alert_rounds;
DROP TABLE alerts;
