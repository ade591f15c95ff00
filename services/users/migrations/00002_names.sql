-- The name is split in two at its first space; one without a space, or with nothing after it, is all given name. email gets
-- another name. One transaction each, which waits for the table only so long that nobody behind it waits in vain.

-- +goose Up
set local lock_timeout = '300ms';
alter table users rename column email to email_address;
alter table users add column given_name text, add column family_name text;
update users set
	given_name = case when position(' ' in name) in (0, length(name)) then name else left(name, position(' ' in name) - 1) end,
	family_name = case when position(' ' in name) in (0, length(name)) then '' else substr(name, position(' ' in name) + 1) end;
alter table users alter column given_name set not null, alter column family_name set not null, drop column name;

-- +goose Down
set local lock_timeout = '300ms';
alter table users rename column email_address to email;
alter table users add column name text;
update users set name = case family_name when '' then given_name else given_name || ' ' || family_name end;
alter table users alter column name set not null, drop column given_name, drop column family_name;
