DROP TABLE suspended_end_users;
