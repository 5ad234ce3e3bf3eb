#pragma once
/// For tests: a certificate authority, and certificates signed by it.

#include <string>

namespace http::testing {

/// Writes NAME.pem and NAME-key.pem for a CA of this common name. True on success.
bool make_authority(const std::string& directory, const std::string& name);
/// Signed by the CA `authority` of the same directory; `address` goes into the alternative names
/// ("IP:127.0.0.1", "DNS:localhost"), "" for none.
bool make_certificate(const std::string& directory, const std::string& authority, const std::string& name,
                      const std::string& address);

}  // namespace http::testing
