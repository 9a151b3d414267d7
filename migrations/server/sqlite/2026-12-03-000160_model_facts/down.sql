DROP TABLE task_claims;
DROP TABLE provider_model_lists;
DROP TABLE model_notices;
ALTER TABLE models DROP COLUMN facts;
