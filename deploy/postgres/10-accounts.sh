#!/bin/bash
# One database a service, with two accounts: NAME_owner migrates, NAME_app reads and writes rows and can do nothing else.
# Neither can connect to another database. Runs once, when the cluster is made. The auditor's accounts are made later, by
# deploy/grant-readers.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c 'REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC'
for service in users orders payments psp notifications; do
  psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v password="$SERVICE_PASSWORD" <<SQL
CREATE ROLE ${service}_owner LOGIN PASSWORD :'password';
CREATE ROLE ${service}_app LOGIN PASSWORD :'password';
CREATE DATABASE $service OWNER ${service}_owner;
REVOKE ALL ON DATABASE $service FROM PUBLIC;
GRANT CONNECT ON DATABASE $service TO ${service}_app;
SQL
  psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$service" <<SQL
ALTER SCHEMA public OWNER TO ${service}_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO ${service}_app;
ALTER DEFAULT PRIVILEGES FOR ROLE ${service}_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${service}_app;
ALTER DEFAULT PRIVILEGES FOR ROLE ${service}_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO ${service}_app;
SQL
done
