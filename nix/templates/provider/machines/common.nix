{
  system.stateVersion = "26.05";

  fediversity.access = {
    # The public half of services.fediversity.secrets.sshKeyFile.
    deployKeys = [ ];
  };
  fediversity.certificates = {
    acceptTerms = true; # read your authority's terms first
    email = "hello@north.example";
  };
  fediversity.mail = {
    host = "mail.north.example";
    user = "services";
    passwordFile = "/var/lib/secrets/mail-password";
  };
}
