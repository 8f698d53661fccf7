# The provider's mail server, by which services send theirs.
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.fediversity.mail = {
    host = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Name of the server; null: services send no mail, and none is needed to use them.";
    };
    port = mkOption {
      type = types.port;
      default = 465;
      description = "Its port; 465 is by TLS from the start, others by STARTTLS.";
    };
    user = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Who signs in there.";
    };
    passwordFile = mkOption {
      type = types.nullOr (types.strMatching "/[A-Za-z0-9._/-]+");
      default = null;
      description = "File with the password, on the machine, outside the store.";
    };
  };
}
