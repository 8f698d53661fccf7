-- Where everybody but the node reaches a machine; NULL: where the node does.
ALTER TABLE machine ADD COLUMN public_address TEXT;
