-- How many machines of a license a user has.
create index activation_user on activation (license_id, user_email) where user_email is not null and state = 'active';
