/** The limits of the script language (Core's script.h). */

/** Bytes of one pushed element. */
export const MAX_SCRIPT_ELEMENT_SIZE = 520;
/** Opcodes above OP_16 in one script before tapscript, keys of OP_CHECKMULTISIG included. */
export const MAX_OPS_PER_SCRIPT = 201;
export const MAX_PUBKEYS_PER_MULTISIG = 20;
/** Bytes of a script before tapscript; a larger output script can never be spent. */
export const MAX_SCRIPT_SIZE = 10_000;
/** Elements of stack and altstack together. */
export const MAX_STACK_SIZE = 1000;
