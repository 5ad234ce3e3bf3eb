/// The schema of caisson.db: version 1, and below it what later ones changed.
///
///   containers ──────────────┐         images ◄──────── image_refs
///     id ◄─┐                 │           id (config digest)   reference
///     name │                 │            ▲                   image_id
///     json │            (by id, no key)   │
///          │                 │         image_layers ──────► layers ◄─┐
///     endpoints ────► networks           image_id, position   chain_id │
///       network_id      id, name         chain_id             parent ──┘
///       container_id    json
///       address …                      snapshots ◄─┐   key: chain id of a layer or id of a container
///                                        key       │
///     volumes   name, json               parent ───┘
///     leases    what must stay, until when
///     events    the last ones, for `events --since`
///     meta      small facts: key, value
///
/// Conventions: times are nanoseconds since 1970 (UTC), digests are "sha256:<hex>", `json` columns
/// belong to the module that writes the row, booleans are 0 and 1. Column names are full words.
/// A module that adds a column writes a migration; released versions below are never edited, and
/// `testdata/` keeps a database of each.

#include "state/detail/schema.h"

#include <array>

namespace state::detail {
namespace {

constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE meta (
  key   TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE containers (
  id      TEXT PRIMARY KEY NOT NULL,
  name    TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL,
  json    TEXT NOT NULL
) STRICT;

CREATE TABLE images (
  id         TEXT PRIMARY KEY NOT NULL,  -- digest of the config
  manifest   TEXT NOT NULL,              -- digest of the manifest that it came with
  media_type TEXT NOT NULL,              -- of that manifest
  size       INTEGER NOT NULL,           -- bytes of all files of all layers
  created    INTEGER NOT NULL,           -- when it was stored here, not the config's field
  json       TEXT NOT NULL               -- summary for `images`
) STRICT;

CREATE TABLE image_refs (
  reference TEXT PRIMARY KEY NOT NULL,   -- "docker.io/library/busybox:latest" or "…@sha256:…"
  image_id  TEXT NOT NULL REFERENCES images (id),
  manifest  TEXT NOT NULL,               -- what the registry calls it: manifest or index digest
  created   INTEGER NOT NULL,
  updated   INTEGER NOT NULL
) STRICT;
CREATE INDEX image_refs_by_image ON image_refs (image_id);

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
) STRICT;
CREATE INDEX layers_by_parent ON layers (parent);
CREATE INDEX layers_by_diff ON layers (diff_id);

CREATE TABLE image_layers (
  image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,             -- 0 is the lowest
  chain_id TEXT NOT NULL REFERENCES layers (chain_id),
  PRIMARY KEY (image_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_layers_by_layer ON image_layers (chain_id);

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
CREATE INDEX snapshots_by_parent ON snapshots (snapshotter, parent);

CREATE TABLE networks (
  id      TEXT PRIMARY KEY NOT NULL,
  name    TEXT NOT NULL UNIQUE,
  driver  TEXT NOT NULL,
  created INTEGER NOT NULL,
  json    TEXT NOT NULL
) STRICT;

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
CREATE INDEX endpoints_by_container ON endpoints (container_id);

CREATE TABLE volumes (
  name    TEXT PRIMARY KEY NOT NULL,
  driver  TEXT NOT NULL,
  created INTEGER NOT NULL,
  json    TEXT NOT NULL
) STRICT;

CREATE TABLE leases (
  id       TEXT NOT NULL,                -- one holder
  resource TEXT NOT NULL,                -- "blob:sha256:…", "snapshot:…"
  created  INTEGER NOT NULL,
  expires  INTEGER,
  PRIMARY KEY (id, resource)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  time     INTEGER NOT NULL,
  type     TEXT NOT NULL,                -- "container", "image", …
  action   TEXT NOT NULL,
  actor    TEXT NOT NULL,
  json     TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events (time);
)sql";

/// What the disk is used for: by whom last, and which layers go without their blob.
constexpr std::string_view kVersion2 = R"sql(
ALTER TABLE images ADD COLUMN used INTEGER NOT NULL DEFAULT 0;   -- last pulled, loaded, run or started
ALTER TABLE layers ADD COLUMN recipe TEXT;                     -- blob that says how to make the layer's own again
)sql";

constexpr std::array kMigrations{Migration{1, kVersion1}, Migration{2, kVersion2}};

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

}  // namespace state::detail
