// Certificates, keys and lists of revoked certificates, read from bytes.
#pragma once

#include <vector>

#include "context_options.h"
#include "owned.h"

namespace ringpoll::tls {

// A certificate, those that lead to its root, and its key.
struct Chain {
  OwnedCertificate certificate;
  std::vector<OwnedCertificate> rest;
  OwnedKey key;
  Bytes staple;
};

// A reference of one's own.
OwnedCertificate share(x509_st* certificate);

// All that stand in `bytes`: PEM, or DER if it begins as DER does. Empty: they cannot be read.
std::vector<OwnedCertificate> readCertificates(const OpenSsl& ssl, const uint8_t* bytes,
                                               size_t length);
std::vector<OwnedCrl> readCrls(const OpenSsl& ssl, const Bytes& bytes);

// Chains with their keys, those of pfx last. What pfx holds beside them goes to `authorities`.
// False: `error` says why.
bool readChains(const OpenSsl& ssl, const ContextOptions& options, std::vector<Chain>* chains,
                std::vector<OwnedCertificate>* authorities, ContextError* error);

// Adds issuers from `authorities` to a chain that is its certificate alone, without the root.
void complete(const OpenSsl& ssl, Chain* chain, const std::vector<OwnedCertificate>& authorities);

}  // namespace ringpoll::tls
