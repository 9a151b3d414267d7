DELETE FROM revisions WHERE name = 'superadmins';
DROP TABLE settings;
DROP TABLE recovery_codes;
DROP TABLE second_factors;
DROP TABLE web_sessions;
ALTER TABLE superadmins DROP COLUMN password_given;
ALTER TABLE superadmins DROP COLUMN role;
