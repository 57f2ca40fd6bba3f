// Header field names: the IANA registry of SIP header fields, and two that are in use without it
// (Diversion, Remote-Party-ID). Everything else is kUnknown and carried by its text.
#pragma once

#include <cstdint>
#include <string_view>

namespace bw::sip {

// clang-format off
enum class HeaderName : std::uint8_t {
  kUnknown,
  kAccept, kAcceptContact, kAcceptEncoding, kAcceptLanguage, kAcceptResourcePriority, kAdditionalIdentity,
  kAlertInfo, kAllow, kAllowEvents, kAnswerMode, kAttestationInfo, kAuthenticationInfo, kAuthorization,
  kCallId, kCallInfo, kCellularNetworkInfo, kContact, kContentDisposition, kContentEncoding, kContentId,
  kContentLanguage, kContentLength, kContentType, kCSeq, kDate, kDcInfo, kDiversion, kEncryption,
  kErrorInfo, kEvent, kExpires, kFeatureCaps, kFlowTimer, kFrom, kGeolocation, kGeolocationError,
  kGeolocationRouting, kHide, kHistoryInfo, kIdentity, kIdentityInfo, kInReplyTo, kInfoPackage, kJoin,
  kMaxBreadth, kMaxForwards, kMimeVersion, kMinExpires, kMinSe, kOrganization, kOriginationId,
  kPAccessNetworkInfo, kPAnswerState, kPAssertedIdentity, kPAssertedService, kPAssociatedUri,
  kPCalledPartyId, kPChargeInfo, kPChargingFunctionAddresses, kPChargingVector, kPDcsBillingInfo,
  kPDcsLaes, kPDcsOsps, kPDcsRedirect, kPDcsTracePartyId, kPEarlyMedia, kPMediaAuthorization,
  kPPreferredIdentity, kPPreferredService, kPPrivateNetworkIndication, kPProfileKey, kPRefusedUriList,
  kPServedUser, kPUserDatabase, kPVisitedNetworkId, kPath, kPermissionMissing, kPolicyContact, kPolicyId,
  kPriority, kPriorityShare, kPriorityVerstat, kPrivAnswerMode, kPrivacy, kProxyAuthenticate,
  kProxyAuthorization, kProxyRequire, kRAck, kReason, kRecordRoute, kRecvInfo, kReferEventsAt, kReferSub,
  kReferTo, kReferredBy, kRejectContact, kRelayedCharge, kRemotePartyId, kReplaces, kReplyTo,
  kRequestDisposition, kRequire, kResourcePriority, kResourceShare, kResponseKey, kResponseSource,
  kRestorationInfo, kRetryAfter, kRoute, kRSeq, kSecurityClient, kSecurityServer, kSecurityVerify, kServer,
  kServiceInteractInfo, kServiceRoute, kSessionExpires, kSessionId, kSipEtag, kSipIfMatch, kSubject,
  kSubscriptionState, kSupported, kSuppressIfMatch, kTargetDialog, kTimestamp, kTo, kTriggerConsent,
  kUnsupported, kUserAgent, kUserToUser, kVia, kWarning, kWwwAuthenticate,
};
// clang-format on

inline constexpr std::size_t kHeaderNameCount = static_cast<std::size_t>(HeaderName::kWwwAuthenticate) + 1;

// Long or compact form (RFC 3261 §7.3.3), any case (§7.3.1).
HeaderName header_name_from(std::string_view name);
// The long form as registered; empty for kUnknown.
std::string_view name_of(HeaderName id);
// The one-letter form, or 0 if there is none.
char compact_form(HeaderName id);

}  // namespace bw::sip
