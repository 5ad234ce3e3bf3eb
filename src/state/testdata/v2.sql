PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE meta (
  key   TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('note','v1');
CREATE TABLE containers (
  id      TEXT PRIMARY KEY NOT NULL,
  name    TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL,
  json    TEXT NOT NULL
) STRICT;
INSERT INTO containers VALUES('c1','web',1700000000000000000,'{"Image":"busybox"}');
CREATE TABLE images (
  id         TEXT PRIMARY KEY NOT NULL,  -- digest of the config
  manifest   TEXT NOT NULL,              -- digest of the manifest that it came with
  media_type TEXT NOT NULL,              -- of that manifest
  size       INTEGER NOT NULL,           -- bytes of all files of all layers
  created    INTEGER NOT NULL,           -- when it was stored here, not the config's field
  json       TEXT NOT NULL               -- summary for `images`
, used INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO images VALUES('sha256:i1','sha256:m1','application/vnd.oci.image.manifest.v1+json',4096,1700000000000000000,'{}',1700000000000000000);
CREATE TABLE image_refs (
  reference TEXT PRIMARY KEY NOT NULL,   -- "docker.io/library/busybox:latest" or "…@sha256:…"
  image_id  TEXT NOT NULL REFERENCES images (id),
  manifest  TEXT NOT NULL,               -- what the registry calls it: manifest or index digest
  created   INTEGER NOT NULL,
  updated   INTEGER NOT NULL
) STRICT;
INSERT INTO image_refs VALUES('docker.io/library/busybox:latest','sha256:i1','sha256:m1',1700000000000000000,1700000000000000000);
CREATE TABLE layers (
  chain_id        TEXT PRIMARY KEY NOT NULL,
  diff_id         TEXT NOT NULL,
  parent          TEXT REFERENCES layers (chain_id),
  blob            TEXT,                  -- digest of the compressed layer; NULL if never had
  blob_media_type TEXT,
  blob_size       INTEGER,
  tar_size        INTEGER NOT NULL,      -- uncompressed
  size            INTEGER NOT NULL,      -- bytes of its files
  created         INTEGER NOT NULL
, recipe TEXT) STRICT;
INSERT INTO layers VALUES('sha256:l1','sha256:d1',NULL,'sha256:b1','application/vnd.oci.image.layer.v1.tar+gzip',1024,10240,4000,1700000000000000000,NULL);
INSERT INTO layers VALUES('sha256:l2','sha256:d2','sha256:l1',NULL,NULL,NULL,2048,96,1700000000000000000,'sha256:r2');
CREATE TABLE image_layers (
  image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,             -- 0 is the lowest
  chain_id TEXT NOT NULL REFERENCES layers (chain_id),
  PRIMARY KEY (image_id, position)
) STRICT, WITHOUT ROWID;
INSERT INTO image_layers VALUES('sha256:i1',0,'sha256:l1');
INSERT INTO image_layers VALUES('sha256:i1',1,'sha256:l2');
CREATE TABLE snapshots (
  snapshotter TEXT NOT NULL,             -- "overlay", "native"
  key         TEXT NOT NULL,
  number      INTEGER NOT NULL UNIQUE,   -- the folder's name
  kind        INTEGER NOT NULL,          -- 0 layer, 1 writable
  parent      TEXT,
  created     INTEGER NOT NULL,
  bytes       INTEGER,                   -- of a layer, once somebody asked
  inodes      INTEGER,
  PRIMARY KEY (snapshotter, key),
  FOREIGN KEY (snapshotter, parent) REFERENCES snapshots (snapshotter, key)
) STRICT;
INSERT INTO snapshots VALUES('overlay','sha256:l1',1,0,NULL,1700000000000000000,8192,3);
INSERT INTO snapshots VALUES('overlay','sha256:l2',2,0,'sha256:l1',1700000000000000000,NULL,NULL);
INSERT INTO snapshots VALUES('overlay','c1',3,1,'sha256:l2',1700000000000000000,NULL,NULL);
CREATE TABLE networks (
  id      TEXT PRIMARY KEY NOT NULL,
  name    TEXT NOT NULL UNIQUE,
  driver  TEXT NOT NULL,
  created INTEGER NOT NULL,
  json    TEXT NOT NULL
) STRICT;
INSERT INTO networks VALUES('n1','bridge','bridge',1700000000000000000,'{}');
CREATE TABLE endpoints (
  id           TEXT PRIMARY KEY NOT NULL,
  network_id   TEXT NOT NULL REFERENCES networks (id),
  container_id TEXT NOT NULL,            -- no key: a record of it may not be committed yet
  address      TEXT,                     -- "172.17.0.2"
  address6     TEXT,
  mac          TEXT,
  json         TEXT NOT NULL,            -- ports, aliases, options
  UNIQUE (network_id, container_id),
  UNIQUE (network_id, address),
  UNIQUE (network_id, address6)
) STRICT;
INSERT INTO endpoints VALUES('e1','n1','c1','172.17.0.2',NULL,'02:42:ac:11:00:02','{}');
CREATE TABLE volumes (
  name    TEXT PRIMARY KEY NOT NULL,
  driver  TEXT NOT NULL,
  created INTEGER NOT NULL,
  json    TEXT NOT NULL
) STRICT;
INSERT INTO volumes VALUES('data','local',1700000000000000000,'{}');
CREATE TABLE leases (
  id       TEXT NOT NULL,                -- one holder
  resource TEXT NOT NULL,                -- "blob:sha256:…", "snapshot:…"
  created  INTEGER NOT NULL,
  expires  INTEGER,
  PRIMARY KEY (id, resource)
) STRICT, WITHOUT ROWID;
INSERT INTO leases VALUES('pull-1','blob:sha256:b1',1700000000000000000,NULL);
CREATE TABLE events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  time     INTEGER NOT NULL,
  type     TEXT NOT NULL,                -- "container", "image", …
  action   TEXT NOT NULL,
  actor    TEXT NOT NULL,
  json     TEXT NOT NULL
) STRICT;
INSERT INTO events VALUES(1,1700000000000000000,'container','create','c1','{}');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('events',1);
CREATE INDEX image_refs_by_image ON image_refs (image_id);
CREATE INDEX layers_by_parent ON layers (parent);
CREATE INDEX layers_by_diff ON layers (diff_id);
CREATE INDEX image_layers_by_layer ON image_layers (chain_id);
CREATE INDEX snapshots_by_parent ON snapshots (snapshotter, parent);
CREATE INDEX endpoints_by_container ON endpoints (container_id);
CREATE INDEX events_by_time ON events (time);
COMMIT;
PRAGMA application_id=1128352083;
PRAGMA user_version=2;
