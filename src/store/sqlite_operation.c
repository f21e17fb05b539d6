#include "config.h"

#include "store/sqlite_operation.h"
#include "store/sqlite_member.h"

static const sqlite_operation sqlite_operations[STORE_OP_COUNT] = {
    [STORE_OP_GET] = sqlite_get,
    [STORE_OP_LIST] = sqlite_list,
    [STORE_OP_ELSEWHERE] = sqlite_elsewhere,
    [STORE_OP_PAGE] = sqlite_page,
    [STORE_OP_INTENTS] = sqlite_intents,
    [STORE_OP_INTENTS_LEFT] = sqlite_intents_left,
    [STORE_OP_INTENT_COUNTS] = sqlite_intent_counts,
    [STORE_OP_SCOPES] = sqlite_scopes,
    [STORE_OP_CREATE_BEGIN] = sqlite_create_begin,
    [STORE_OP_CREATE_SETTLE] = sqlite_create_settle,
    [STORE_OP_CLAIM] = sqlite_claim,
    [STORE_OP_UPDATE_BEGIN] = sqlite_update_begin,
    [STORE_OP_UPDATE_SETTLE] = sqlite_update_settle,
    [STORE_OP_DELETE_BEGIN] = sqlite_delete_begin,
    [STORE_OP_DELETE_SETTLE] = sqlite_delete_settle,
    [STORE_OP_INTENT_MARK] = sqlite_intent_mark,
    [STORE_OP_INTENT_DROP] = sqlite_intent_drop,
    [STORE_OP_INTENT_TAKE] = sqlite_intent_take,
    [STORE_OP_OUTDATE] = sqlite_outdate,
    [STORE_OP_ADOPT] = sqlite_adopt,
    [STORE_OP_REFRESH] = sqlite_refresh,
    [STORE_OP_HIDE] = sqlite_hide,
    [STORE_OP_JOIN_SCOPES] = sqlite_join_scopes,
    [STORE_OP_PURGE] = sqlite_purge,
    [STORE_OP_PROBE] = sqlite_probe,
    [STORE_OP_IMAGE_PUT] = sqlite_image_put,
    [STORE_OP_IMAGE_GET] = sqlite_image_get,
    [STORE_OP_IMAGE_LIST] = sqlite_image_list,
    [STORE_OP_IMAGE_DELETE] = sqlite_image_delete,
    [STORE_OP_IMAGE_RELEASE] = sqlite_image_release,
    [STORE_OP_TWIN_LOOK] = sqlite_twin_look,
    [STORE_OP_TWIN_OWNER] = sqlite_twin_owner,
    [STORE_OP_TWIN_PAGE] = sqlite_twin_page,
    [STORE_OP_TWIN_NOTE] = sqlite_twin_note,
    [STORE_OP_TWIN_PUT] = sqlite_twin_put,
    [STORE_OP_TWIN_DROP] = sqlite_twin_drop,
};

/* The function that does an operation. */
sqlite_operation
sqlite_operation_of(enum store_op op)
{
	return sqlite_operations[op];
}
