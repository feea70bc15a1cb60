-- Makes the database of MCPWorks and its users, each with no more rights than it needs. Run once, as a superuser:
--   psql --no-psqlrc --set ON_ERROR_STOP=on --file deploy/postgresql/set-up.sql
-- Then give each user a password, which psql hashes before it is sent:
--   \password mcpworks
--   \password mcpworks_auditor

-- The server: owns its two schemas, and can make nothing anywhere else.
CREATE ROLE mcpworks LOGIN CONNECTION LIMIT 100;
-- Whoever verifies or exports the decision log without the server: reads it, and changes nothing.
CREATE ROLE mcpworks_auditor LOGIN CONNECTION LIMIT 10;

CREATE DATABASE mcpworks TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
REVOKE ALL ON DATABASE mcpworks FROM PUBLIC;
GRANT CONNECT ON DATABASE mcpworks TO mcpworks, mcpworks_auditor;

\connect mcpworks
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA mcpworks_state AUTHORIZATION mcpworks;
CREATE SCHEMA mcpworks_log AUTHORIZATION mcpworks;
GRANT USAGE ON SCHEMA mcpworks_log TO mcpworks_auditor;
ALTER DEFAULT PRIVILEGES FOR ROLE mcpworks IN SCHEMA mcpworks_log GRANT SELECT ON TABLES TO mcpworks_auditor;
