-- Who made a user: operator, sign-up or invitation. Only the operator is known to
-- know whose the address is.
ALTER TABLE person ADD COLUMN origin TEXT NOT NULL DEFAULT 'operator';

UPDATE person SET origin = 'sign-up'
WHERE id IN (SELECT person_id FROM audit_event WHERE kind = 'user_created' AND detail = 'sign-up');

UPDATE person SET origin = 'invitation'
WHERE origin = 'operator' AND id <> '00000000-0000-4000-8000-00000000000a'
  AND id NOT IN (SELECT person_id FROM audit_event WHERE kind = 'user_created');
