{
  system.stateVersion = "26.05";

  # What `fediversity machine key` prints, and your own.
  fediversity.access.deployKeys = [ ];

  # Where the node's gateway comes from. TLS ends there; from there to here it is plain HTTP, so let it be a network of yours.
  fediversity.gateway.addresses = [ "10.0.0.1" ];
  fediversity.mail = {
    host = "mail.north.example";
    user = "services";
    passwordFile = "/var/lib/secrets/mail-password";
  };
}
