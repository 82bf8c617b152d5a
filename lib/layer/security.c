/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/security.h"

#include "core/error.h"

/* [MS-DTYP] 2.4.2, 2.4.4, 2.4.5 and 2.4.6; all numbers are little-endian. */
enum {
    HEADER_SIZE = 20,
    AT_CONTROL = 2,
    AT_OWNER = 4,
    AT_GROUP = 8,
    AT_SACL = 12,
    AT_DACL = 16,
    CONTROL_SELF_RELATIVE = 0x8000,

    SID_HEADER_SIZE = 8,
    SID_MAX_PARTS = 15,

    ACL_HEADER_SIZE = 8,
    ACL_MIN_REVISION = 2,
    ACL_MAX_REVISION = 4,

    ACE_HEADER_SIZE = 4,
    ACE_MASK_SIZE = 4,
    ACE_FLAGS_SIZE = 4,
    ACE_GUID_SIZE = 16,
};

typedef struct bytes {
    const unsigned char *data;
    size_t size;
} bytes;

static unsigned get16(const unsigned char *p)
{
    return (unsigned)p[0] | (unsigned)p[1] << 8;
}

static uint32_t get32(const unsigned char *p)
{
    return (uint32_t)get16(p) | (uint32_t)get16(p + 2) << 16;
}

/* What stands from `at` on; empty when that is beyond the end. */
static bytes rest(bytes all, size_t at)
{
    return at < all.size ? (bytes){all.data + at, all.size - at} : (bytes){all.data, 0};
}

static const char *sid_problem(bytes sid)
{
    if (sid.size < SID_HEADER_SIZE)
        return "an identity that is cut off";
    size_t parts = sid.data[1];
    if (sid.data[0] != 1 || parts > SID_MAX_PARTS)
        return "an identity of no known form";
    return SID_HEADER_SIZE + parts * 4 > sid.size ? "an identity that is cut off" : NULL;
}

/* Where the identity of such an entry stands; 0 for types that we do not know. */
static size_t ace_sid_offset(bytes ace)
{
    size_t at = ACE_HEADER_SIZE + ACE_MASK_SIZE;
    switch (ace.data[0]) {
    case 0x00: /* allowed, denied, audit, alarm */
    case 0x01:
    case 0x02:
    case 0x03:
    case 0x09: /* the same with a condition */
    case 0x0a:
    case 0x0d:
    case 0x0e:
    case 0x11: /* label, attribute, policy, trust, filter */
    case 0x12:
    case 0x13:
    case 0x14:
    case 0x15:
        return at;
    case 0x05: /* for one kind of object: up to two GUIDs come first */
    case 0x06:
    case 0x07:
    case 0x08:
    case 0x0b:
    case 0x0c:
    case 0x0f:
    case 0x10: {
        uint32_t flags = ace.size >= at + ACE_FLAGS_SIZE ? get32(ace.data + at) : 0;
        return at + ACE_FLAGS_SIZE + (flags & 1 ? ACE_GUID_SIZE : 0) + (flags & 2 ? ACE_GUID_SIZE : 0);
    }
    default:
        return 0;
    }
}

static const char *aces_problem(bytes acl, size_t count)
{
    bytes left = rest(acl, ACL_HEADER_SIZE);
    for (; count; count--) {
        size_t size = left.size < ACE_HEADER_SIZE ? 0 : get16(left.data + 2);
        if (size < ACE_HEADER_SIZE || size > left.size || size % 4)
            return "an entry of a wrong size";
        const bytes ace = {left.data, size};
        size_t at = ace_sid_offset(ace);
        const char *problem = at ? sid_problem(rest(ace, at)) : NULL;
        if (problem)
            return problem;
        left = rest(left, size);
    }
    return NULL;
}

static const char *acl_problem(bytes acl)
{
    if (acl.size < ACL_HEADER_SIZE)
        return "a list that is cut off";
    size_t size = get16(acl.data + 2);
    if (acl.data[0] < ACL_MIN_REVISION || acl.data[0] > ACL_MAX_REVISION)
        return "a list of no known form";
    if (size < ACL_HEADER_SIZE || size > acl.size)
        return "a list of a wrong size";
    return aces_problem((bytes){acl.data, size}, get16(acl.data + 4));
}

/* The part whose offset stands at `field`; a zero offset says that there is none. */
static const char *part_problem(bytes all, size_t field, const char *(*problem)(bytes part))
{
    uint32_t offset = get32(all.data + field);
    if (!offset)
        return NULL;
    if (offset < HEADER_SIZE || offset >= all.size || offset % 4)
        return "a part that lies outside of it";
    return problem(rest(all, offset));
}

static const char *descriptor_problem(bytes all)
{
    const char *problem;
    if (all.size < HEADER_SIZE)
        return "no whole header";
    if (all.data[0] != 1)
        return "an unknown revision";
    if (!(get16(all.data + AT_CONTROL) & CONTROL_SELF_RELATIVE))
        return "pointers instead of offsets";
    if ((problem = part_problem(all, AT_OWNER, sid_problem)) ||
        (problem = part_problem(all, AT_GROUP, sid_problem)) ||
        (problem = part_problem(all, AT_SACL, acl_problem)))
        return problem;
    return part_problem(all, AT_DACL, acl_problem);
}

int32_t wci_security_check(const void *data, size_t size, wc_error **err)
{
    const char *problem = descriptor_problem((bytes){data, size});
    if (problem)
        return wci_err(err, WC_E_FORMAT, "security descriptor: has %s", problem);
    return WC_OK;
}
