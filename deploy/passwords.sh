#!/bin/sh
# Gives the three roles of restartix/embedded/roles.sql their passwords. Run once, when PostgreSQL makes its files.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set app="$APP_PASSWORD" --set owner="$OWNER_PASSWORD" --set platform="$PLATFORM_PASSWORD" <<'SQL'
ALTER ROLE restartix_app PASSWORD :'app';
ALTER ROLE restartix_owner PASSWORD :'owner';
ALTER ROLE restartix_platform PASSWORD :'platform';
SQL
