DROP TABLE alert_messages;
