/* _dl_find_object for musl: which object the code at `pc` belongs to, for libgcc's unwinder. glibc has it since 2.35 and
 * answers from a table; this walks the loaded objects, of which a static program has one. See glibc's dlfcn.h. */
#define _GNU_SOURCE
#include <link.h>
#include <stddef.h>
#include <stdint.h>

struct found {
    unsigned long long flags;
    void *map_start;
    void *map_end;
    struct link_map *link_map;
    void *eh_frame;
    unsigned long long reserved[7];
};

struct search {
    uintptr_t pc;
    struct found *found;
};

static int look(struct dl_phdr_info *object, size_t size, void *data)
{
    struct search *search = data;
    uintptr_t start = 0, end = 0, eh_frame = 0;
    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        uintptr_t from = object->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && search->pc >= from && search->pc < from + segment->p_memsz) {
            start = from;
            end = from + segment->p_memsz;
        }
        if (segment->p_type == PT_GNU_EH_FRAME)
            eh_frame = from;
    }
    if (start == 0 || eh_frame == 0)
        return 0;
    *search->found = (struct found){
        .map_start = (void *)start,
        .map_end = (void *)end,
        .eh_frame = (void *)eh_frame,
    };
    return 1;
}

int _dl_find_object(void *pc, void *result)
{
    struct search search = {(uintptr_t)pc, result};
    return dl_iterate_phdr(look, &search) ? 0 : -1;
}
