DROP TABLE studio_leavers;
DROP TABLE studio_choices;
DROP TABLE studio_parts;
DROP TABLE studio_images;
DROP TABLE studio_answers;
DROP TABLE studio_turns;
DROP TABLE studio_chats;
ALTER TABLE tenant_settings DROP COLUMN studio_days;
