-- Times are milliseconds since 1970 (UTC). Ids are random text, except where rows are counted.

CREATE TABLE customer (
	id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, email_key TEXT NOT NULL UNIQUE, -- lower case
	password TEXT NOT NULL, language TEXT NOT NULL, created_at INTEGER NOT NULL, last_seen_at INTEGER,
	staff INTEGER NOT NULL DEFAULT 0 -- whether this account may do what provider staff does
) STRICT;

CREATE TABLE session (
	id TEXT PRIMARY KEY, token_hash BLOB NOT NULL UNIQUE, customer TEXT NOT NULL REFERENCES customer ON DELETE CASCADE,
	agent TEXT NOT NULL, created_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
	confirmed_at INTEGER NOT NULL -- when the password was last said in it
) STRICT;
CREATE INDEX session_customer ON session (customer);

CREATE TABLE api_token (
	id TEXT PRIMARY KEY, token_hash BLOB NOT NULL UNIQUE, customer TEXT NOT NULL REFERENCES customer ON DELETE CASCADE,
	name TEXT NOT NULL, scopes TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, last_used_at INTEGER
) STRICT;
CREATE INDEX api_token_customer ON api_token (customer);

CREATE TABLE ssh_key (
	id TEXT PRIMARY KEY, customer TEXT NOT NULL REFERENCES customer ON DELETE CASCADE,
	name TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, created_at INTEGER NOT NULL, UNIQUE (customer, fingerprint)
) STRICT;

CREATE TABLE voucher (
	id TEXT PRIMARY KEY, code_hash BLOB NOT NULL UNIQUE, hint TEXT NOT NULL, services TEXT NOT NULL, disk_mib INTEGER NOT NULL,
	uses INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0 CHECK (used <= uses), note TEXT NOT NULL,
	created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, withdrawn_at INTEGER
) STRICT;

-- What a redeemed voucher gives: one deployment with some of these services. Free again when that is erased or undone.
CREATE TABLE entitlement (
	id TEXT PRIMARY KEY, customer TEXT NOT NULL REFERENCES customer, voucher TEXT NOT NULL REFERENCES voucher,
	services TEXT NOT NULL, disk_mib INTEGER NOT NULL, deployment TEXT UNIQUE, redeemed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX entitlement_customer ON entitlement (customer);

-- Several customers may claim a domain; whose claim its DNS shows (or who was first, in our own zones) holds it alone.
CREATE TABLE domain (
	domain TEXT NOT NULL, customer TEXT NOT NULL REFERENCES customer, claim TEXT NOT NULL UNIQUE,
	added_at INTEGER NOT NULL, held_at INTEGER, epoch INTEGER NOT NULL DEFAULT 1, PRIMARY KEY (domain, customer)
) STRICT;
CREATE UNIQUE INDEX domain_holder ON domain (domain) WHERE held_at IS NOT NULL;
CREATE INDEX domain_customer ON domain (customer, added_at);

CREATE TABLE deployment (
	id TEXT PRIMARY KEY, customer TEXT NOT NULL REFERENCES customer, domain TEXT NOT NULL, plan TEXT NOT NULL, -- JSON
	state TEXT NOT NULL, created_at INTEGER NOT NULL, kept_until INTEGER
) STRICT;
-- One deployment a domain; beside it there may be what has moved away or is being erased, and one that is coming.
CREATE UNIQUE INDEX deployment_domain ON deployment (domain) WHERE state NOT IN ('gone', 'moved', 'arriving', 'erasing');
CREATE UNIQUE INDEX deployment_arriving ON deployment (domain) WHERE state = 'arriving';
CREATE INDEX deployment_at ON deployment (domain, created_at);
CREATE INDEX deployment_customer ON deployment (customer);

-- What the latest probes saw.
CREATE TABLE sighting (
	deployment TEXT NOT NULL REFERENCES deployment, service TEXT NOT NULL, health TEXT NOT NULL, probes TEXT NOT NULL,
	size_bytes INTEGER, at INTEGER NOT NULL, since INTEGER NOT NULL, told INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (deployment, service)
) STRICT, WITHOUT ROWID;

-- Whether the first account's password has been shown.
CREATE TABLE credential (
	deployment TEXT NOT NULL REFERENCES deployment, service TEXT NOT NULL, shown_at INTEGER, PRIMARY KEY (deployment, service)
) STRICT, WITHOUT ROWID;

-- What the customer can read of a deployment's life, besides its jobs.
CREATE TABLE history (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, deployment TEXT NOT NULL REFERENCES deployment, at INTEGER NOT NULL,
	kind TEXT NOT NULL, params TEXT NOT NULL, job TEXT
) STRICT;
CREATE INDEX history_deployment ON history (deployment, seq);

CREATE TABLE job (
	id TEXT PRIMARY KEY, kind TEXT NOT NULL, deployment TEXT, customer TEXT, input TEXT NOT NULL, -- JSON, never a secret
	state TEXT NOT NULL, -- what the journal says, so that one can search by it
	lease_owner TEXT, lease_beat INTEGER NOT NULL DEFAULT 0, -- no time in it: clocks jump
	created_at INTEGER NOT NULL, started_at INTEGER, ended_at INTEGER
) STRICT;
-- One job a deployment at a time: a second one is refused by the database itself.
CREATE UNIQUE INDEX job_deployment ON job (deployment) WHERE state NOT IN ('done', 'undone') AND deployment IS NOT NULL;
CREATE INDEX job_due ON job (lease_owner) WHERE state NOT IN ('done', 'undone', 'stuck');
CREATE INDEX job_of_deployment ON job (deployment, created_at);
CREATE INDEX job_leased ON job (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE INDEX job_customer ON job (customer, created_at);
CREATE INDEX job_newest ON job (created_at, id);

-- The one truth about every job: progress, recovery, history and notices read it.
CREATE TABLE journal (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL REFERENCES job, at INTEGER NOT NULL,
	step TEXT, event TEXT NOT NULL -- JSON
) STRICT;
CREATE INDEX journal_job ON journal (job, seq);

CREATE TABLE job_log (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL REFERENCES job, at INTEGER NOT NULL, step TEXT, line TEXT NOT NULL
) STRICT;
CREATE INDEX job_log_job ON job_log (job, seq);

CREATE TABLE notice (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE, customer TEXT NOT NULL REFERENCES customer,
	kind TEXT NOT NULL, params TEXT NOT NULL, link TEXT, at INTEGER NOT NULL, read_at INTEGER
) STRICT;
CREATE INDEX notice_customer ON notice (customer, seq);

CREATE TABLE notice_setting (
	customer TEXT PRIMARY KEY REFERENCES customer, mail INTEGER NOT NULL, browser INTEGER NOT NULL,
	webhook TEXT, webhook_secret TEXT, successes INTEGER NOT NULL -- webhook_secret: its name in the vault
) STRICT;

-- The outbox: a notice and its deliveries are written together, then sent until they arrive or are given up.
CREATE TABLE delivery (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, notice TEXT NOT NULL REFERENCES notice (id), channel TEXT NOT NULL,
	target TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, last_error TEXT, next_at INTEGER,
	UNIQUE (notice, channel)
) STRICT;
CREATE INDEX delivery_due ON delivery (state, next_at);

-- One side of a deployment's move: at the new provider from the token on, at the old one from the customer's word on.
CREATE TABLE migration (
	id TEXT PRIMARY KEY, side TEXT NOT NULL, customer TEXT NOT NULL REFERENCES customer, talk TEXT NOT NULL, -- JSON
	about TEXT NOT NULL, -- JSON: what each side has found out and agreed to, never a secret
	domain TEXT, deployment TEXT REFERENCES deployment, job TEXT REFERENCES job, peer TEXT, -- the other node's origin
	token_hash TEXT, expires_at INTEGER, revoked_at INTEGER, created_at INTEGER NOT NULL,
	frozen_at INTEGER, thawed_at INTEGER, handed_at INTEGER, ended_at INTEGER, erased_at INTEGER,
	deferred INTEGER NOT NULL DEFAULT 0, forwarded INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX migration_customer ON migration (customer, created_at);
CREATE INDEX migration_deployment ON migration (deployment, created_at);

-- Inbox, outbox and receipt in one: everything both sides said, as it was signed. Not yet acknowledged: it is sent again.
CREATE TABLE migration_message (
	migration TEXT NOT NULL REFERENCES migration, side TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL,
	digest TEXT NOT NULL, document TEXT NOT NULL, content TEXT NOT NULL, at INTEGER NOT NULL, acknowledged_at INTEGER,
	PRIMARY KEY (migration, side, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX migration_unsent ON migration_message (migration, seq) WHERE acknowledged_at IS NULL;

-- Other nodes that this one knows of. The key is the one seen first, or confirmed by staff since; another one that it shows is not used.
CREATE TABLE peer (
	id TEXT PRIMARY KEY, origin TEXT NOT NULL UNIQUE, told_by TEXT NOT NULL, -- config, staff, customer, or the origin of the peer that named it
	standing TEXT NOT NULL DEFAULT 'usual', hidden INTEGER NOT NULL DEFAULT 0, most_moves INTEGER, most_bytes INTEGER,
	key_id TEXT, key TEXT, new_key_id TEXT, new_key TEXT,
	document TEXT, published_at INTEGER, expires_at INTEGER, -- its offer sheet as it signed it
	knows_us INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, seen_at INTEGER,
	look_at INTEGER NOT NULL, ask_at INTEGER NOT NULL, failures INTEGER NOT NULL DEFAULT 0, problem TEXT
) STRICT;

-- Secrets, each sealed under the node's master key.
CREATE TABLE vault (id INTEGER PRIMARY KEY CHECK (id = 1), fingerprint BLOB NOT NULL) STRICT; -- which key seals them
CREATE TABLE secret (name TEXT PRIMARY KEY, sealed BLOB NOT NULL, changed_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- What is known of each domain's certificate; with its key it lies in the vault. None yet: it was ordered in vain so far.
CREATE TABLE certificate (
	domain TEXT PRIMARY KEY, hosts TEXT NOT NULL DEFAULT '[]', begins_at INTEGER, ends_at INTEGER,
	failures INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL DEFAULT 0, problem TEXT
) STRICT;

-- What NixOps4 knows of each deployment: the document as of one event, and all events, of which those after it are still to be added.
CREATE TABLE nixops_state (deployment TEXT PRIMARY KEY, seq INTEGER NOT NULL, document TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE nixops_event (
	deployment TEXT NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL, patch TEXT NOT NULL, at INTEGER NOT NULL,
	PRIMARY KEY (deployment, seq)
) STRICT, WITHOUT ROWID;

-- The provider's machines, and whose each one is for now: a deployment has one machine, and a machine one deployment.
CREATE TABLE machine (
	id TEXT PRIMARY KEY, address TEXT NOT NULL, port INTEGER NOT NULL, user TEXT NOT NULL, host_key TEXT NOT NULL, system TEXT NOT NULL,
	memory_mib INTEGER NOT NULL, disk_gib INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'open', created_at INTEGER NOT NULL, UNIQUE (address, port)
) STRICT;
CREATE TABLE machine_reservation (
	deployment TEXT PRIMARY KEY, machine TEXT NOT NULL UNIQUE REFERENCES machine, at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Answers to requests with an Idempotency-Key, sealed and kept for a day; none yet: the request is under way.
CREATE TABLE idempotency (
	customer TEXT NOT NULL, key TEXT NOT NULL, request_hash BLOB NOT NULL, sealed BLOB, at INTEGER NOT NULL, PRIMARY KEY (customer, key)
) STRICT, WITHOUT ROWID;

-- Fedify's key-value store.
CREATE TABLE federation_kv (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at INTEGER) STRICT, WITHOUT ROWID;

-- One row: which node this is.
CREATE TABLE node (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL) STRICT;
