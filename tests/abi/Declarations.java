import java.lang.reflect.Method;
import org.extism.sdk.LibExtism;

/** Prints what upstream's Java SDK declares of the library: layout.c's lines, and functions with a letter
 * for each parameter's and the result's kind. */
class Declarations {
    static char kind(Class<?> type) {
        if (type == void.class)
            return 'v';
        if (type == boolean.class)
            return 'b';
        return type == int.class || type == long.class ? 'i' : 'p';
    }

    /** As it is laid out by JNA. */
    static class Val extends LibExtism.ExtismVal {
        int offset(String field) {
            return fieldOffset(field);
        }
    }

    public static void main(String[] arguments) {
        for (Method m : LibExtism.class.getDeclaredMethods()) {
            StringBuilder kinds = new StringBuilder();
            for (Class<?> type : m.getParameterTypes())
                kinds.append(kind(type));
            System.out.println("function " + m.getName() + " " + kind(m.getReturnType()) + "(" + kinds + ")");
        }
        Val val = new Val();
        System.out.println("size ExtismVal " + val.size());
        System.out.println("offset ExtismVal.t " + val.offset("t"));
        System.out.println("offset ExtismVal.v " + val.offset("v"));
        System.out.println("size ExtismValUnion " + new LibExtism.ExtismValUnion().size());
        for (LibExtism.ExtismValType type : LibExtism.ExtismValType.values()) {
            if (type != LibExtism.ExtismValType.PTR)
                System.out.println("value ExtismValType_" + type.name() + " " + type.v);
        }
    }
}
