# PostgreSQL as moves need it: the agent reads as the service's own role, and a target role may make the database beside which it
# is built up. `wal_level = logical` lets a large database move by its changes.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  names = config.fediversity.databases;
in
{
  options.fediversity.databases = mkOption {
    type = types.listOf types.str;
    default = [ ];
    description = "Databases that services own, each by the role of its name.";
  };

  config.services.postgresql = lib.mkIf (names != [ ]) {
    enable = true;
    ensureDatabases = names;
    ensureUsers = map (name: {
      inherit name;
      ensureDBOwnership = true;
      ensureClauses = {
        login = true;
        createdb = true;
        replication = true;
      };
    }) names;
    # The agent is root; everybody else remains who they are.
    identMap = lib.concatMapStrings (name: ''
      fediversity root ${name}
      fediversity ${name} ${name}
    '') names;
    authentication = lib.concatMapStrings (name: ''
      local all ${name} peer map=fediversity
    '') names;
    settings = {
      wal_level = "logical";
      # So that a move that never ends cannot fill the disk.
      max_slot_wal_keep_size = "4GB";
    };
  };
}
